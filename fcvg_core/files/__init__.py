"""Files and folders of the user: looked at before they are opened, written whole or not at all."""
