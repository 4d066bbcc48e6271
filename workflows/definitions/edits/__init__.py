"""How what people change in a workflow goes to the audit trail.

May use `compiler` and `description` of `definitions`, and `integrations.audit`. Begin with `edit_record.py`.
"""
