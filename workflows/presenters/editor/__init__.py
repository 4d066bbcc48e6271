"""What the editor's forms draw beside the fields: offers of values and records, samples, functions, tried conditions.

May use the rest of `presenters` and what is below. Begin with `value_offers.py`.
"""
