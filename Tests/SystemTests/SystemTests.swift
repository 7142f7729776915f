import TestSupport
import Testing

/// Tests of the real executables, one at a time: many of them tell the time that something takes.
@Suite(.serialized, .ownThread) struct SystemTests {}
