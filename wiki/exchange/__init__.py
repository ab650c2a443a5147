"""Export, import and verification of the record; its formats are still to be written."""
