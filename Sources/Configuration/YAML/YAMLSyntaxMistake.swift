internal import Yams

/// The reason why a text is not a YAML document; nothing after it could be read.
struct YAMLSyntaxMistake: Error {
  var position: Position
  var message: String

  var finding: Finding { Finding(position: position, message: message) }

  init(position: Position, message: String) {
    self.position = position
    self.message = message
  }

  /// Puts what the parser says into words for a person who never read its source.
  init(_ error: any Error, in text: String) {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _):
      self.init(context: context, problem: problem, mark: mark, text: text)
    case YamlError.composer(_, let problem, let mark, _):
      let message =
        problem.contains("alias")
        ? "anchors (&name) and aliases (*name) are not read here; write the value out, in quotes if it begins with *"
        : "a second document begins here (---); a configuration is one document"
      self.init(position: Position(mark), message: message)
    case YamlError.reader(let problem, _, _, _):
      self.init(position: .start, message: "not valid YAML: \(problem)")
    default:
      self.init(position: .start, message: "not valid YAML")
    }
  }

  private init(context: YamlError.Context?, problem: String, mark: Mark, text: String) {
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    let line = lines.indices.contains(mark.line - 1) ? lines[mark.line - 1] : ""
    let here = line.unicodeScalars.dropFirst(mark.column - 1).first
    var message = "not valid YAML: \(problem)"
    if problem.hasPrefix("Maximum nesting level") {
      message = "nested too deeply"
    } else if here == "\t" {
      message = "a tab cannot indent YAML; use spaces"
    } else {
      if let context {
        // The parser's own words, such as "while parsing a block mapping".
        message += " \(context.text) that begins at \(context.mark.line):\(context.mark.column)"
      }
      message += Self.hint(problem: problem, context: context?.text ?? "", line: String(line))
    }
    self.init(position: Position(mark), message: message)
  }

  private static func hint(problem: String, context: String, line: String) -> String {
    if problem.hasPrefix("mapping values are not allowed") {
      return "; a value with a colon and a space in it needs quotes, or a | and a block below"
    }
    if ["alias", "anchor", "tag", "directive"].contains(where: context.contains) || problem.contains("start any token")
    {
      return "; a value that begins with * & ! % @ or ` needs quotes"
    }
    if problem.hasPrefix("did not find expected"), line.contains(": \"") || line.contains(": '") {
      return "; a value that begins with a quote ends at the next one: put all of it in quotes of the other kind"
    }
    return ""
  }
}
