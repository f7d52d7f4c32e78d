"""The languages of pages and messages: phrases that are marked where they stand, translated at the face."""
