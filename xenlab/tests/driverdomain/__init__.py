"""Driverdomain: a netback in a domU that ends under traffic, and what is lost until it is back."""
