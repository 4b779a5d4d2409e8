"""The commands of the command line, a module or a family a file; `speakerid.cli` is the door."""
