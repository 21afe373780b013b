"""Workers: what does a task, and the processes or actors that it runs in."""
