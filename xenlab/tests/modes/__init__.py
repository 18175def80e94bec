"""The modes suite: domains and vifs of every kind as asked for, and traffic through each."""
