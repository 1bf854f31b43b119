import Conversions

/// A piece that is read before it is asked for.
struct ReadAhead: Sendable {
  let piece: SweepPiece
  let identity: String
  let page: Task<SweepPage, any Error>

  /// How many pieces may be read before they are asked for.
  static let piecesMax = 3

  /// Whether it is what was asked for. A range's number and history have no part in how it is read.
  func serves(_ asked: SweepPiece, of survey: ShopSurvey) -> Bool {
    identity == survey.identity && asked.isWhole && asked.from == piece.from && asked.range.lower == piece.range.lower
      && asked.range.upper == piece.range.upper
  }

  /// What a walk over everything reads behind a piece; nil where that is not known.
  static func next(after piece: SweepPiece, _ page: SweepPage) -> SweepPiece? {
    guard piece.isWhole else { return nil }
    if let next = page.next {
      var range = piece.range
      if let split = page.split { range.upper = split.at }
      return SweepPiece(range: range, from: next, isWhole: true)
    }
    guard let split = page.split, split.mark == nil else { return nil }
    return SweepPiece(range: SweepRange(number: 0, lower: split.at, upper: piece.range.upper), isWhole: true)
  }
}
