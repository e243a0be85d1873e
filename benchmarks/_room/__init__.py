"""A room of student machines that tests and benchmarks make themselves: namespaces, each with a real sshd."""
