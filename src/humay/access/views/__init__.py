"""Tables of windows as others want to see them: on a globe, in a calendar, on a map, in a notebook.

Each takes a table of `humay.access.tables` and gives text or bytes; nothing here touches a file.
"""
