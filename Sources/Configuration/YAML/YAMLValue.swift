/// A value of a YAML document and where it begins.
struct YAMLValue {
  enum Content {
    /// Text; `isPlain` where it stands without quotes, as only a null can.
    case scalar(String, isPlain: Bool)
    case list([YAMLValue])
    case mapping([YAMLEntry])
    /// Something already reported, of which nothing more should be said.
    case refused
  }

  var content: Content
  var position: Position

  /// True if it is one of the ways to write nothing (YAML 1.2.2, 10.2.1.1, and JSON's null).
  var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// The text of a scalar that is not null.
  var text: String? {
    guard case .scalar(let text, _) = content, !isNull else { return nil }
    return text
  }

  /// The name of it in a message.
  var shown: String {
    switch content {
    case .scalar(let text, _):
      if isNull { "null" } else if text.isEmpty { "an empty text" } else { Shown.text(text) }
    case .list: "a list"
    case .mapping: "a mapping"
    case .refused: "this"
    }
  }
}

/// A key of a mapping with its value.
struct YAMLEntry {
  var key: String
  var position: Position
  var value: YAMLValue
}
