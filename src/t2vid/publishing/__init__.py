"""From rows to a repository on the Hub that others can trust."""
