// Nothing to call: an executable that links this target has the fixes.
