"""Files of rows as spreadsheets, banks and shops write them, read into values.

May use `language`. Begin with `spreadsheets.py`.
"""
