"""From a specification to a running guest: ``spec → XML → libvirt domain``.

Arrows run one way: :mod:`grader` imports this package, and this package imports only third parties.
"""
