"""What a process needs to run at all: the queue, heartbeats, the database's clock, disk, the version of the schema.

May use the models. Begin with `broker.py`, the one seam to django-q2.
"""
