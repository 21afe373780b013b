"""Files and folders of the user: checked before they are read, and never left half-written."""
