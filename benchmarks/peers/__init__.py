"""What ``benchmarks/needs.py`` compares with: methods after their papers, and other libraries."""
