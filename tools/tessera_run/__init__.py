"""The scenario runner: boots several libOSes on one kernel in an emulated machine, and judges what happened."""
