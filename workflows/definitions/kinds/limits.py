"""How far a workflow may go: items, iterations, levels, calls, days."""

#: Kind of the row that the engine writes for each iteration of a loop; no step of a workflow has it.
ITERATION = "turn"
#: The largest value that “Maximum items” of a loop may have, and its default.
MOST_ITERATIONS, USUAL_ITERATIONS = 10_000, 100
#: The most loop iterations and calls of workflows that one run may make, including those of the runs that it calls:
#: nested loops, and loops that call workflows with loops, could otherwise go on for days.
MOST_ITERATIONS_OF_A_RUN = 20_000
#: How deep workflows may call one another.
MOST_CALLS = 5
#: Steps within steps; nobody can read deeper ones.
MOST_LEVELS = 8
#: The longest delay, in days.
LONGEST_DELAY_DAYS = 400
