"""Adjacent: a guest's compound pages, presented by netback as one piece again."""
