"""What stops a workflow from being published, and what each step may refer to.

May use the rest of `definitions`. Begin with `validation.py`.
"""
