"""The fleet: a lab on every machine of a room, by Ansible."""
