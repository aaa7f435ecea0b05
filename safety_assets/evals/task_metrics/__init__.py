"""One way of marking a task item per file: the answer and what the model said in, a grade out. No torch."""
