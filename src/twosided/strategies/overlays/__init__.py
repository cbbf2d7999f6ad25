"""The shipped overlays: each changes the centre, the width or the size of a plan, and says why."""
