"""What a new project begins with: its settings, its folders, and the checks of what a user names."""
