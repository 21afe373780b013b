"""Thousands of jobs of the command line, each done once, by processes of one machine or by Ray.

    manifest    a file or a folder -> rows: an id, a mode and options
    planning    rows -> tasks, each with the content key of what it makes; the dry run
    store       the folder or the bucket that the results go to, and the names in it
    driver      the loop: leases, attempts, the ledger, what has failed
    workers     a task -> conditions, frames, files; processes of this machine
    ray_engine  workers on a Ray cluster
    reporting   progress, metrics, the page that shows all results

A driver is the process that the command starts. It gives tasks to an engine, which has workers.
`ray_engine.py` alone imports ray, `store/connecting.py` and `store/remote.py` alone import fsspec.
"""
