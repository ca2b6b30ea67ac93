# Die Texte der Seiten von Countersign auf Deutsch. Anrede: Sie.

## Anmelden

login-title = Anmelden
login-client = Sie melden sich an bei
login-username = Benutzername
login-password = Passwort
login-submit = Anmelden
login-remember = Angemeldet bleiben, wenn der Browser geschlossen wird
login-choose = Ein bereits angemeldetes Konto verwenden
login-privacy = Ihr Passwort bleibt bei diesem Anmeldedienst. Die Anwendung bekommt es nie zu sehen.

login-refused = Benutzername oder Passwort ist falsch. Bitte prüfen Sie beides und versuchen Sie es noch einmal.
login-wait-seconds = Zu viele Versuche. Bitte warten Sie { $count ->
    [one] eine Sekunde
   *[other] { $count } Sekunden
} und versuchen Sie es dann noch einmal.
login-wait-minutes = Zu viele Versuche. Bitte warten Sie { $count ->
    [one] eine Minute
   *[other] { $count } Minuten
} und versuchen Sie es dann noch einmal.
login-unavailable = Die Anmeldung ist im Moment nicht möglich. Bitte versuchen Sie es in einer Minute noch einmal.
login-reauthenticate = Die Anwendung möchte sichergehen, dass Sie es sind. Bitte melden Sie sich noch einmal an.
login-confirm = Für den nächsten Schritt müssen Sie sich vor Kurzem angemeldet haben. Bitte melden Sie sich noch einmal an.
login-expired = Diese Seite war zu lange geöffnet. Bitte melden Sie sich noch einmal an.

## Ein Konto anlegen

signup-title = Konto anlegen
signup-client = Danach geht es weiter zu
signup-username-hint = Damit melden Sie sich an, und Anwendungen können ihn sehen.
signup-again = Passwort noch einmal
signup-display-name = Ihr Name (freiwillig)
signup-email = E-Mail-Adresse (freiwillig)
signup-submit = Konto anlegen
signup-none-yet = Noch kein Konto?
signup-have-one = Sie haben schon ein Konto?

signup-fields = Das Konto gibt es noch nicht. Bitte sehen Sie sich an, was unten markiert ist, und geben Sie das Passwort noch einmal ein.
signup-unavailable = Im Moment kann kein Konto angelegt werden. Bitte versuchen Sie es in einer Minute noch einmal.
signup-username-rules = Ein Benutzername hat 1 bis etwa 250 Zeichen, die alle sichtbar sind.
signup-username-taken = Diesen Benutzernamen hat schon jemand. Bitte wählen Sie einen anderen; ist es Ihr eigener, melden Sie sich an.
signup-display-name-rules = Dieser Name ist zu lang oder enthält Zeichen, die nicht in einen Namen gehören.
signup-email-rules = Das ist keine E-Mail-Adresse: alex@example.org wäre eine.

## Ein Konto auswählen

choose-title = Welches Konto möchten Sie verwenden?
choose-nobody = Hier ist niemand mehr angemeldet.
choose-other = Anderes Konto verwenden

## Einer Anwendung Zugriff geben

consent-title = { $client } Zugriff erlauben?
consent-account = Angemeldet als
consent-switch = Nicht Sie? Anderes Konto verwenden
consent-intro = { $client } bittet um diese Berechtigungen:
consent-nothing = { $client } möchte nur wissen, dass Sie angemeldet sind.
consent-own = Ihr Konto bei diesem Dienst
consent-offline = Diese Berechtigungen auch in Ihrer Abwesenheit behalten, bis sie entzogen werden
consent-host = In jedem Fall geht es danach weiter zu
consent-remembered = Wenn Sie zustimmen, werden Sie nach denselben Berechtigungen nicht noch einmal gefragt.
consent-allow = Erlauben
consent-deny = Ablehnen

scope-openid = Sie bei der Anmeldung wiedererkennen
scope-profile = Ihren Namen und weitere Angaben aus Ihrem Profil sehen
scope-email = Ihre E-Mail-Adresse sehen
scope-address = Ihre Postanschrift sehen
scope-phone = Ihre Telefonnummer sehen
scope-offline = Die Berechtigungen auch in Ihrer Abwesenheit behalten

## Eine Anwendung neben ihrem Namen

client-unchecked = Diese Anwendung hat sich selbst angemeldet. Niemand hier hat geprüft, wer dahinter steht: Name und Logo können beliebig sein.
client-links = Was { $client } über sich sagt
client-home = Website
client-policy = Datenschutzerklärung
client-terms = Nutzungsbedingungen

## Abmelden

logout-title = Abmelden?
logout-asked = { $client } möchte Sie abmelden.
logout-account = Angemeldet als
logout-others = Hier außerdem angemeldet
logout-text = Danach müssen Sie sich für jede Anwendung, die in diesem Browser diese Anmeldung nutzt, neu anmelden. Eine gerade geöffnete Anwendung kann noch eine Weile angemeldet bleiben.
logout-text-one = Anwendungen in diesem Browser, die dieses Konto nutzen, verlangen dann eine neue Anmeldung. Die anderen Konten bleiben angemeldet, wenn Sie nicht alle abmelden. Eine gerade geöffnete Anwendung kann noch eine Weile angemeldet bleiben.
logout-submit = Abmelden
logout-submit-one = { $name } abmelden
logout-all = Alle Konten abmelden
logout-stay = Angemeldet bleiben

logged-out-title = Sie sind abgemeldet
logged-out-accounts = Abgemeldet
logged-out-nobody = Hier ist niemand angemeldet.
logged-out-text = Ihre Sitzung in diesem Browser ist beendet.
logged-out-told = Diese Anwendungen werden aufgefordert, Sie ebenfalls abzumelden:
logged-out-not-told = Diese Anwendungen haben Sie benutzt. Ist eine davon geöffnet, kann sie noch eine Weile angemeldet bleiben:
logged-out-remaining = Hier noch angemeldet
logged-out-client = Sie können jederzeit zu { $client } zurückkehren und sich neu anmelden.
logged-out-shared = Nutzen auch andere diesen Computer? Dann schließen Sie bitte außerdem alle Fenster dieses Browsers.

## Die Startseite

home-title = Anmeldedienst
home-issuer = Dies ist der Anmeldedienst von
home-text = Hier ist nichts zu tun. Um sich anzumelden, öffnen Sie einfach die gewünschte Anwendung; sie führt Sie auf die richtige Seite.
home-account = Angemeldet als
home-sessions = Ihre Sitzungen und Ihr Passwort
home-tokens = Ihre API-Tokens
home-sign-in = Am eigenen Konto anmelden: Sitzungen und Passwort
home-developers = Für Entwickler
home-discovery = Einstellungen für Anwendungen (OpenID Connect Discovery)

## Die eigenen Seiten einer Person

account-places = Ihr Konto
account-sessions = Sitzungen
account-applications = Anwendungen
account-password = Passwort
account-tokens = API-Tokens

sessions-title = Wo Sie angemeldet sind
sessions-intro = Wenn Sie eine dieser Sitzungen nicht kennen, beenden Sie sie und ändern Sie Ihr Passwort.
done-password-changed = Ihr Passwort ist geändert, und alle Ihre anderen Sitzungen sind beendet. Ihre API-Tokens bleiben gültig: Sehen Sie auch diese durch.
done-session-ended = Die Sitzung ist beendet.
done-others-ended = Alle Ihre anderen Sitzungen sind beendet.
done-access-withdrawn = Der Zugriff ist entzogen.
done-token-revoked = Das Token ist widerrufen.
sessions-applications = Anwendungen, denen Sie das erlaubt haben, behalten ihren Zugriff, auch wenn eine Sitzung endet.
sessions-this = Diese Sitzung
sessions-unknown = Unbekannter Browser
sessions-started = Angemeldet
sessions-last-used = Zuletzt genutzt
sessions-kept = Wenn der Browser geschlossen wird
sessions-remembered = bleiben Sie angemeldet
sessions-clients = Anwendungen
sessions-no-clients = keine
sessions-end = Diese Sitzung beenden
sessions-end-others = Alle anderen Sitzungen beenden

password-title = Passwort ändern
password-old = Ihr jetziges Passwort
password-new = Neues Passwort
password-again = Neues Passwort noch einmal
password-hint = Mindestens 8 Zeichen. Ein paar Wörter hintereinander sind leicht zu merken und schwer zu erraten.
password-consequence = Alle Ihre anderen Sitzungen enden, und Anwendungen, die Sie anderswo nutzen, bitten Sie um eine neue Anmeldung.
password-submit = Passwort ändern
password-wrong = Ihr jetziges Passwort ist falsch. Bitte versuchen Sie es noch einmal.
password-unavailable = Das Passwort kann im Moment nicht geändert werden. Bitte versuchen Sie es in einer Minute noch einmal.
password-rules = Das neue Passwort ist zu kurz oder zu lang: bitte mindestens 8 Zeichen.
password-same = Das neue Passwort ist das jetzige. Bitte wählen Sie ein anderes.
password-differ = Sie haben das neue Passwort auf zwei verschiedene Arten eingegeben. Bitte geben Sie es noch einmal ein.

## Die Anwendungen mit Zugriff auf das Konto einer Person

apps-title = Anwendungen mit Zugriff
apps-intro = Diese Anwendungen dürfen Ihr Konto nutzen. Entziehen Sie einer Anwendung den Zugriff, wenn Sie sie nicht kennen oder nicht mehr brauchen.
apps-none = Im Moment hat keine Anwendung Zugriff auf Ihr Konto.
apps-since = Seit
apps-access = Hat Zugriff
apps-lasting = auch in Ihrer Abwesenheit, bis er entzogen wird oder abläuft
apps-signed-in = nur, solange Sie angemeldet sind
apps-remembered = im Moment nicht; was Sie erlaubt haben, ist gespeichert
apps-withdraw = Zugriff entziehen
apps-withdraw-one = { $client } den Zugriff entziehen

apps-withdraw-title = { $client } den Zugriff entziehen?
apps-withdraw-text = Die Anwendung verliert den Zugriff auf Ihr Konto. Manche APIs merken das erst nach ein paar Minuten. Sie bleiben hier angemeldet.
apps-asked-again = Bevor sie wieder Zugriff bekommt, muss sie Sie fragen.
apps-not-asked = Diese Anwendung fragt nicht nach, weil die Betreiber dieses Dienstes ihr vertrauen: Sobald Sie sie wieder benutzen, hat sie wieder Zugriff.
apps-keep = So lassen

## Die API-Tokens einer Person

tokens-title = Ihre API-Tokens
tokens-account = Angemeldet als
tokens-sign-out = Abmelden
tokens-intro = Mit einem API-Token kann ein Skript oder Programm von Ihnen eine API in Ihrem Namen nutzen, ohne Ihr Passwort.
tokens-none = Sie haben im Moment kein Token.
tokens-new = Neues Token
tokens-for = Für
tokens-may = Erlaubt
tokens-made = Erstellt am
tokens-expires = Läuft ab am
tokens-last-used = Letzte Benutzung
tokens-never = noch nicht benutzt
tokens-revoke = Widerrufen
tokens-revoke-one = { $name } widerrufen

tokens-made-title = Ihr neues Token: { $name }
tokens-made-text = Kopieren Sie es jetzt und bewahren Sie es auf wie ein Passwort. Es wird nur dieses eine Mal angezeigt.

tokens-new-title = Neues API-Token
tokens-choose = Wofür soll das Token sein?
tokens-no-server = Hier gibt es keine API, die Tokens annimmt.
tokens-name = Name des Tokens
tokens-name-hint = Damit Sie es wiedererkennen, zum Beispiel „Backup-Skript“.
tokens-scope = Was es erlaubt
tokens-life = Wie lange es gilt
tokens-days = { $count ->
    [one] einen Tag
   *[other] { $count } Tage
}
tokens-submit = Token erstellen
tokens-back = Zurück zu Ihren Tokens

tokens-problem-name = Bitte geben Sie dem Token einen Namen mit höchstens etwa 100 Buchstaben.
tokens-problem-scope = Bitte wählen Sie mindestens eine Sache aus, die das Token erlaubt.
tokens-problem-life = Bitte wählen Sie aus, wie lange das Token gilt.
tokens-problem-full = Sie haben so viele Tokens, wie Sie haben dürfen. Widerrufen Sie eines, das Sie nicht mehr brauchen, und erstellen Sie dann ein neues.

tokens-revoke-title = { $name } widerrufen?
tokens-revoke-text = Skripte und Programme, die dieses Token benutzen, funktionieren sofort nicht mehr. Das lässt sich nicht rückgängig machen.
tokens-keep = Behalten

## Der Weg zurück, wo ihn keine Weiterleitung führt

back-title = Zurück zur Anwendung
back-text = Es geht weiter zu
back-button = Weiter
back-message = Dieses Fenster hat der Anwendung mitgeteilt, wie die Anmeldung ausgegangen ist. Bleibt es offen, können Sie es schließen.

## Wenn etwas schiefgeht: was geschehen ist, was es bedeutet, was zu tun ist

error-bad-request-title = Diese Anfrage lässt sich nicht beantworten
error-bad-request-text = Die Anwendung hat eine Anfrage geschickt, die dieser Dienst nicht versteht oder nicht annehmen darf.
error-bad-request-help = Kehren Sie zur Anwendung zurück und beginnen Sie von vorn. Erscheint diese Seite wieder, wenden Sie sich bitte an die Betreiber der Anwendung.

error-unknown-client-title = Diese Anwendung ist hier nicht bekannt
error-unknown-client-text = Eine Anwendung hat Sie hierher geleitet, die bei diesem Anmeldedienst nicht registriert ist.
error-unknown-client-help = Prüfen Sie die Adresse, von der Sie gekommen sind. Stimmt sie, wenden Sie sich bitte an die Betreiber der Anwendung.

error-redirect-uri-title = Wir haben hier angehalten, um Sie zu schützen
error-redirect-uri-text = Die Anwendung wollte Sie an eine Adresse weiterleiten, die nicht für sie registriert ist. Das kann ein Fehler in ihren Einstellungen sein oder ein Täuschungsversuch.
error-redirect-uri-help = Folgen Sie dem Link, der Sie hierher geführt hat, nicht noch einmal. Wenn Sie der Anwendung vertrauen, wenden Sie sich bitte an ihre Betreiber.

error-expired-title = Diese Seite ist zu alt
error-expired-text = Sie war so lange geöffnet, dass die zugehörige Anfrage nicht mehr gültig ist. Es wurde nichts verändert.
error-expired-help = Kehren Sie zur Anwendung zurück und beginnen Sie von vorn.

error-other-browser-title = Diese Seite gehört zu einem anderen Browser
error-other-browser-text = Die Anmeldung wurde in einem anderen Browser oder Fenster begonnen, oder Ihr Browser hat das Cookie dieses Dienstes nicht zurückgeschickt.
error-other-browser-help = Erlauben Sie Cookies für diese Website und öffnen Sie die Anwendung dann noch einmal in diesem Browser. Falls die Anwendung auf Ihrem eigenen Rechner läuft: localhost und 127.0.0.1 sind für den Browser zwei verschiedene Websites; bleiben Sie durchgehend bei einer davon.

error-already-used-title = Dieser Schritt ist schon erledigt
error-already-used-text = Die Seite wurde bereits abgeschickt, und das geht nur einmal. So etwas kommt vor, wenn man zurückblättert oder zweimal auf die Schaltfläche drückt.
error-already-used-help = Kehren Sie zur Anwendung zurück. Falls Sie dort nicht angemeldet sind, beginnen Sie von vorn.

error-unavailable-title = Bitte versuchen Sie es gleich noch einmal
error-unavailable-text = Der Anmeldedienst erreicht im Moment nicht alles, was er braucht. Es ist nichts verloren gegangen.
error-unavailable-help = Warten Sie eine Minute und laden Sie diese Seite neu.

error-not-found-title = Hier gibt es keine Seite
error-not-found-text = Diese Adresse gibt es bei diesem Anmeldedienst nicht.
error-not-found-help = Prüfen Sie die Adresse oder öffnen Sie die gewünschte Anwendung.

error-method-title = Diese Adresse wird anders benutzt
error-method-text = Die Adresse gibt es, aber sie beantwortet diese Art von Anfrage nicht.
error-method-help = Kehren Sie zur Anwendung zurück und beginnen Sie von vorn.

error-forbidden-title = Das kam nicht von unserer eigenen Seite
error-forbidden-text = Zu Ihrer Sicherheit werden Formulare nur angenommen, wenn sie in diesem Browser von der eigenen Seite dieses Dienstes abgeschickt wurden.
error-forbidden-help = Kehren Sie zur Anwendung zurück und beginnen Sie von vorn. Haben Sie selbst nichts abgeschickt, schließen Sie diese Seite einfach.

error-too-large-title = Das ist mehr, als wir annehmen können
error-too-large-text = Die Anfrage ist länger, als dieser Dienst erlaubt.
error-too-large-help = Kehren Sie zur Anwendung zurück und beginnen Sie von vorn. Falls Sie etwas sehr Langes eingegeben haben, kürzen Sie es bitte.

error-internal-title = Bei uns ist etwas schiefgegangen
error-internal-text = Im Anmeldedienst ist ein Fehler aufgetreten. Es liegt nicht an Ihnen, und der Fehler wurde aufgezeichnet.
error-internal-help = Versuchen Sie es noch einmal. Erscheint diese Seite wieder, nennen Sie den Betreibern dieses Dienstes bitte die Vorgangsnummer unten.

error-developer = Für die Entwickler der Anwendung
error-code = Fehler
error-status = HTTP-Status
error-detail = Was geschehen ist
error-request = Vorgangsnummer
