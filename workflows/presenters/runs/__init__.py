"""What the pages of runs, previews and backtests draw: cards of steps, trees, documents, tables.

May use the rest of `presenters` and what is below. Begin with `run_presenter.py`.
"""
