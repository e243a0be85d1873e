"""A class graded by workers of Dask's, here or on other machines, to the very bytes of one session here."""
