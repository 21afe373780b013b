"""What a person sees of a batch: progress, metrics, and the page of all results."""
