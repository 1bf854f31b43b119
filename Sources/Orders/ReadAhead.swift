import Conversions

/// A piece that is read before it is asked for.
struct ReadAhead: Sendable {
  let piece: SweepPiece
  let identity: String
  let page: Task<SweepPage, any Error>

  /// How many pieces may be read before they are asked for.
  static let piecesMax = 2

  /// Whether it is what was asked for. A range's number and history have no part in how it is read.
  func serves(_ asked: SweepPiece, of survey: ShopSurvey) -> Bool {
    identity == survey.identity && asked.isWhole && asked.from == piece.from && asked.range.lower == piece.range.lower
      && asked.range.upper == piece.range.upper
  }

  /// What a walk over everything reads behind a piece that was read; nil where that is not known.
  struct Next: Sendable {
    let piece: SweepPiece
    /// What was split off the piece's range, and is read after it.
    let rest: SweepRange?

    init?(after piece: SweepPiece, _ page: SweepPage, rest: SweepRange?) {
      guard piece.isWhole else { return nil }
      var (range, rest) = (piece.range, rest)
      if let split = page.split {
        // A rest that was read before has a place of its own among the ranges.
        rest = split.mark == nil ? SweepRange(number: 0, lower: split.at, upper: range.upper) : nil
        range.upper = split.at
      }
      if let next = page.next {
        (self.piece, self.rest) = (SweepPiece(range: range, from: next, isWhole: true), rest)
      } else if let rest {
        (self.piece, self.rest) = (SweepPiece(range: rest, isWhole: true), nil)
      } else {
        return nil
      }
    }
  }
}
