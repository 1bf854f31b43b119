/// One key of the configuration: its place, its kind, its default and its documentation.
struct SchemaKey: Sendable {
  /// The rule where the key is not given.
  enum Presence: Sendable, Equatable {
    /// It must be given; the example is a value for a home-made shop.
    case required(example: String)
    /// This default, as YAML.
    case optional(default: String)
    /// Nothing; the example is a value for a home-made shop.
    case mapped(example: String)
  }

  /// The key after those of its sections, separated by dots.
  let path: String
  let presence: Presence
  /// True if null means that the key is not given.
  let allowsNull: Bool
  /// The values that may be written, in words.
  let allowed: String?
  /// The meaning of the key and when to change it: lines for the example file.
  let documentation: String
  /// Reads a value that is not null into the configuration; false where it holds a mistake.
  let read: @Sendable (YAMLValue, inout Configuration, inout [Finding]) -> Bool

  init<Value>(
    _ path: String, _ property: any WritableKeyPath<Configuration, Value> & Sendable, _ kind: ValueKind<Value>,
    _ presence: Presence, allowsNull: Bool = false, _ documentation: String
  ) {
    self.path = path
    self.presence = presence
    self.allowsNull = allowsNull || presence == .optional(default: "null") || presence.isMapped
    self.allowed = kind.allowed
    self.documentation = documentation
    self.read = { value, configuration, findings in
      guard let read = kind.read(value, &findings) else { return false }
      configuration[keyPath: property] = read
      return true
    }
  }

  /// The section that holds the key.
  var section: String { path.split(separator: ".").dropLast().joined(separator: ".") }
  /// The key without its sections.
  var name: String { path.split(separator: ".").last.map(String.init) ?? path }
}

extension SchemaKey.Presence {
  var isRequired: Bool {
    if case .required = self { true } else { false }
  }

  var isMapped: Bool {
    if case .mapped = self { true } else { false }
  }
}
