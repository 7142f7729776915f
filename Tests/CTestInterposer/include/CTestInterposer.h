// Nothing to call: a process that is started with this library in LD_PRELOAD has it.
