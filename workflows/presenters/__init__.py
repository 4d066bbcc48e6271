"""What templates draw: cards of steps, the steps of a run, the values to pick from, documents.

May use every service, and changes nothing. Begin with `step_cards.py` and `run_presenter.py`.
"""
