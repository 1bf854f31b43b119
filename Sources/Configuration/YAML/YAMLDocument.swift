internal import Yams

/// One YAML document as a tree of positions, without the parts of YAML that a configuration has no use for.
///
/// Anchors, aliases, merge keys and tags are refused: they make a file that says something else than it shows.
struct YAMLDocument {
  /// The top of the tree; `nil` where the file holds nothing.
  var root: YAMLValue?
  var findings: [Finding] = []

  /// The most levels; no key of ours is deeper than three.
  private static let depthMax = 16

  /// Reads the text, or says why it is no YAML. If the syntax is broken, that is the only finding.
  init(_ text: String) {
    do {
      let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
      let node = try parser.singleRoot()
      // Anchors are weak references that the parser owns: it must live until the tree is converted.
      withExtendedLifetime(parser) { root = node.map { convert($0, depth: 0) } }
    } catch {
      let mistake = Self.mistake(error, in: text)
      findings = [mistake.finding]
      root = YAMLValue(content: .refused, position: mistake.position)
      return
    }
    if let root, root.isNull { self.root = nil }
  }

  /// Names the mistake for which a text is no YAML. Of a key that is given more than once, Yams tells the first place alone.
  private static func mistake(_ error: any Error, in text: String) -> YAMLSyntaxMistake {
    guard case YamlError.duplicatedKeysInMapping(let keys, let context) = error else {
      return YAMLSyntaxMistake(error, in: text)
    }
    let message = "\(Shown.text(keys.first ?? "")) is given more than once; its first place is here"
    return YAMLSyntaxMistake(position: Position(context.mark), message: message)
  }

  private mutating func convert(_ node: Node, depth: Int) -> YAMLValue {
    let position = Position(node.mark)
    if let refusal = refusal(of: node, depth: depth) {
      findings.append(Finding(position: position, message: refusal))
      return YAMLValue(content: .refused, position: position)
    }
    switch node {
    case .scalar(let scalar):
      let content = YAMLValue.Content.scalar(scalar.string, isPlain: scalar.style == .plain)
      return YAMLValue(content: content, position: position)
    case .sequence(let items):
      let list = items.map { convert($0, depth: depth + 1) }
      return YAMLValue(content: .list(list), position: position)
    case .mapping(let mapping):
      let entries = entries(of: mapping, depth: depth)
      return YAMLValue(content: .mapping(entries), position: position)
    case .alias:
      return YAMLValue(content: .refused, position: position)
    }
  }

  private mutating func entries(of mapping: Node.Mapping, depth: Int) -> [YAMLEntry] {
    var entries: [YAMLEntry] = []
    for (key, value) in mapping {
      let value = convert(value, depth: depth + 1)
      let keyValue = convert(key, depth: depth + 1)
      let position = keyValue.position
      guard case .scalar(let written, let isPlain) = keyValue.content else {
        if case .refused = keyValue.content { continue }
        findings.append(Finding(position: position, message: "a key is a single word, not \(keyValue.shown)"))
        continue
      }
      if isPlain, written == "<<" {
        findings.append(Finding(position: position, message: "merge keys (<<) are not read here; write the keys out"))
      } else {
        entries.append(YAMLEntry(key: written, position: position, value: value))
      }
    }
    return entries
  }

  private func refusal(of node: Node, depth: Int) -> String? {
    if depth > Self.depthMax { return "nested too deeply" }
    if node.anchor != nil { return "anchors (&name) and aliases (*name) are not read here; write the value out" }
    // Yams gives untagged nodes the plainest tag of their shape when it compares them.
    let plainest: Tag.Name
    switch node {
    case .scalar, .alias: plainest = .str
    case .sequence: plainest = .seq
    case .mapping: plainest = .map
    }
    let hasTag = ![Tag.Name.implicit, plainest].contains(Tag.Name(rawValue: node.tagText))
    return hasTag ? "tags (!name) are not read here; leave it out" : nil
  }
}

extension Position {
  /// The place that the parser marked; the beginning of the file where it marked none.
  init(_ mark: Mark?) {
    self = mark.map { Position(line: $0.line, column: $0.column) } ?? .start
  }
}

extension Node {
  /// The tag as it was given, without resolving it.
  fileprivate var tagText: String {
    switch self {
    case .scalar(let scalar): scalar.tag.rawValue
    case .sequence(let sequence): sequence.tag.rawValue
    case .mapping(let mapping): mapping.tag.rawValue
    case .alias(let alias): alias.tag.rawValue
    }
  }
}
