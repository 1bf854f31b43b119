/// All that is wrong with a configuration file.
public struct ConfigurationMistakes: Error, Sendable, Equatable, CustomStringConvertible {
  /// Every mistake, in the order of the file; never empty.
  public var mistakes: [Mistake]
  /// Every warning, in the order of the file.
  public var warnings: [Mistake]

  /// One mistake a line; warnings are left out.
  public var description: String { mistakes.map(\.description).joined(separator: "\n") }
}
