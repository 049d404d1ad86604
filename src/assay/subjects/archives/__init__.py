"""Archives, opened by content.

`zip_directory` parses zips strictly. Import from the modules themselves: start-up stays cheap.
"""
