"""Writes the bundled project: text from grammars, probes, refusal pairs, the bank's corpus, and the two models.

python -m data.build            everything, models included (`make model`)
python -m data.build --text     text files only
"""
