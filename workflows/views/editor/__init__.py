"""The pages on which a workflow is built, published, compared and exported.

May use `forms`, `presenters` and services. Begin with `workflow.py`, then `steps.py`.
"""
