"""Rows become tasks: options are read, inputs are marked, what is done already is left out."""
