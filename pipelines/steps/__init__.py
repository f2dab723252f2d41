"""The built-in steps, a folder for each kind. A plan imports what describes them; what runs and judges them is imported when they run."""
