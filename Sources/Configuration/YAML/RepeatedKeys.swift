internal import Yams

/// Lets a document with repeated keys be read to its end.
///
/// Yams stops at the first mapping with a key given twice, and names only the first of the two places. So that
/// all mistakes are found at once, the key at that place gets another name of the same length, and the text is
/// read again; every position stays what it was, and the true name is kept here.
struct RepeatedKeys {
  /// A document that was read, with what is needed to understand it.
  struct Composed {
    var root: Node?
    /// Owns the anchors of the tree.
    var parser: Parser
    var names: RepeatedKeys
  }

  private static let renamedMax = 100
  /// The first of the private-use scalars (Unicode 16, 23.5), which YAML allows and no key begins with.
  private static let firstStandIn: UInt32 = 0xE000

  private var scalars: [Unicode.Scalar]
  private var lineStarts: [Int]
  private var names: [Position: String] = [:]

  private init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    lineStarts = [0]
    for (index, scalar) in scalars.enumerated() where Self.endsLine(scalar) {
      // Of a carriage return and a line feed, the line feed ends the line.
      if scalar == "\r", index + 1 < scalars.count, scalars[index + 1] == "\n" { continue }
      lineStarts.append(index + 1)
    }
  }

  /// Returns the true name of the key at this place, where it had to be changed.
  func name(at position: Position) -> String? { names[position] }

  /// Reads the one document in the text, whatever keys it repeats.
  static func compose(_ text: String) -> Result<Composed, YAMLSyntaxMistake> {
    var names = RepeatedKeys(text)
    var repeated: YAMLSyntaxMistake?
    while true {
      do {
        let text = names.names.isEmpty ? text : names.text
        let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
        return .success(Composed(root: try parser.singleRoot(), parser: parser, names: names))
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        let position = Position(context.mark)
        let name = keys.first ?? ""
        let mistake = YAMLSyntaxMistake(position: position, message: "\(Shown.text(name)) is given more than once")
        guard names.rename(name, at: position) else { return .failure(repeated ?? mistake) }
        repeated = mistake
      } catch {
        // A key that could not be renamed without breaking the syntax is reported by itself.
        return .failure(repeated ?? YAMLSyntaxMistake(error, in: text))
      }
    }
  }

  private var text: String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  /// Gives the key at `position` a name of its own; false where what stands there is not the key as named.
  private mutating func rename(_ name: String, at position: Position) -> Bool {
    guard names.count < Self.renamedMax, position.line <= lineStarts.count else { return false }
    var index = lineStarts[position.line - 1] + position.column - 1
    guard index < scalars.count, names[position] == nil else { return false }
    if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
    guard let first = name.unicodeScalars.first, index < scalars.count, scalars[index] == first else { return false }
    guard let standIn = Unicode.Scalar(Self.firstStandIn + UInt32(names.count)) else { return false }
    scalars[index] = standIn
    names[position] = name
    return true
  }

  /// Returns true if the scalar ends a line (YAML 1.1, 4.2, which libyaml follows).
  private static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
    default: false
    }
  }
}
