/// The reason why there is no configuration: the file could not be read, or its contents are wrong.
public enum ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file could not be read.
  case file(ConfigurationFileError)
  /// The file was read, and holds mistakes.
  case mistakes(ConfigurationMistakes)

  /// One line a mistake, or one line for the file.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .mistakes(let mistakes): mistakes.description
    }
  }
}
