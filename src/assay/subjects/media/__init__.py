"""Pictures, sound, documents and tables: walked to their end, and never decoded."""
