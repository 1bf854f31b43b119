/// A rule that a proof takes away, to see that the oracle finds its absence.
enum Mutation: CaseIterable, Sendable {
  case noQuestion
  case omissionBelieved
  case editsNotDecidedAnew
  case discardForgotten
  case keyTakenForOrder
}
