/// A mistake or warning before the file's name is put to it.
struct Finding: Equatable {
  var position: Position
  var message: String
  var severity = Mistake.Severity.mistake
}

extension Finding {
  /// Adds the name of the file it is about.
  func at(_ file: String) -> Mistake {
    Mistake(file: Shown.text(file, limit: 1_024), position: position, message: message, severity: severity)
  }
}
