"""From a bare machine to a working ``./tdlab``: standard library only, for it runs before all else."""
