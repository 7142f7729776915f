// The peer of the catalogue serves all other tests as well.
@_exported public import Misbehaviours
