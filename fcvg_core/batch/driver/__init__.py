"""The driver: takes tasks, gives them to an engine, and notes what becomes of them."""
