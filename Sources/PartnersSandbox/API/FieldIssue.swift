/// One field that an answer of 400 names: API reference, Errors.
struct FieldIssue: Sendable, Hashable {
  let field: String
  let message: String

  init(_ field: String, _ message: String) {
    self.field = field
    self.message = message
  }
}
