/// A value bound to `$1`, `$2` ...: text as PostgreSQL's input functions read it, or NULL. The statement casts it.
public struct PostgresParameter: Hashable, Sendable {
  /// The text; nil for NULL.
  let text: String?

  /// A text; nil for NULL.
  public init(_ text: String?) { self.text = text }

  /// A whole number.
  public init(_ number: Int64) { text = String(number) }

  /// An array of texts as an array literal, each element quoted (PostgreSQL manual, 8.15.6).
  public init(array elements: [String]) {
    var literal = "{"
    for (index, element) in elements.enumerated() {
      literal += index == 0 ? "\"" : ",\""
      for scalar in element.unicodeScalars {
        if scalar == "\"" || scalar == "\\" { literal += "\\" }
        literal.unicodeScalars.append(scalar)
      }
      literal += "\""
    }
    text = literal + "}"
  }

  /// True if a C string can hold it: libpq would cut the text at a NUL and send another value.
  var isSendable: Bool { text?.utf8.contains(0) != true }
}
