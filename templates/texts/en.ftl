# The texts of Countersign's pages in English: the language that is used when no other fits.
# Translators: copy this file, translate what stands right of "=", keep names in { } as they are.

## Signing in

login-title = Sign in
login-client = You are signing in to
login-username = User name
login-password = Password
login-submit = Sign in
login-remember = Stay signed in when the browser is closed
login-choose = Use an account that is signed in already
login-privacy = Your password stays with this sign-in server. The application never sees it.

login-refused = User name or password is wrong. Please check both and try again.
login-wait-seconds = Too many attempts. Please wait { $count ->
    [one] one second
   *[other] { $count } seconds
} and try again.
login-wait-minutes = Too many attempts. Please wait { $count ->
    [one] one minute
   *[other] { $count } minutes
} and try again.
login-unavailable = Signing in is not possible at the moment. Please try again in a minute.
login-reauthenticate = The application wants to be sure that it is you. Please sign in again.
login-confirm = What you are about to do needs a recent sign-in. Please sign in again.
login-expired = This page was open for too long. Please sign in again.

## Creating an account

signup-title = Create an account
signup-client = After that you go on to
signup-username-hint = You sign in with it, and applications may see it.
signup-again = Password once more
signup-display-name = Your name (optional)
signup-email = E-mail address (optional)
signup-submit = Create the account
signup-none-yet = No account yet?
signup-have-one = You have an account?

signup-fields = There is no account yet. Please look at what is marked below, and type the password again.
signup-unavailable = Creating an account is not possible at the moment. Please try again in a minute.
signup-username-rules = A user name has 1 to about 250 characters, all of which can be seen.
signup-username-taken = Somebody has this user name. Please choose another one; if it is your own, sign in.
signup-display-name-rules = This name is too long, or has characters that cannot be part of a name.
signup-email-rules = This is no e-mail address: alex@example.org would be one.

## Choosing an account

choose-title = Which account do you want to use?
choose-nobody = Nobody is signed in here any more.
choose-other = Use another account

## Giving an application access

consent-title = Allow { $client } access?
consent-account = Signed in as
consent-switch = Not you? Use another account
consent-intro = { $client } asks for these permissions:
consent-nothing = { $client } asks only to know that you are signed in.
consent-own = Your account here
consent-offline = Keep these permissions while you are away, until they are withdrawn
consent-host = Whatever you choose, you then go to
consent-remembered = If you allow it, you will not be asked for the same permissions again.
consent-allow = Allow
consent-deny = Deny

scope-openid = Recognise you when you sign in
scope-profile = See your name and other details of your profile
scope-email = See your e-mail address
scope-address = See your postal address
scope-phone = See your telephone number
scope-offline = Keep its permissions while you are away

## An application beside its name

client-unchecked = This application registered itself. Nobody here has checked who is behind it: its name and its logo may be anything.
client-links = What { $client } says of itself
client-home = Home page
client-policy = Privacy policy
client-terms = Terms of service

## Signing out

logout-title = Sign out?
logout-asked = { $client } asks to sign you out.
logout-account = Signed in as
logout-others = Also signed in here
logout-text = You will have to sign in again for every application that uses this sign-in in this browser. An application that is open may stay signed in for a while.
logout-text-one = Applications in this browser that use this account will ask for it again. The other accounts stay signed in, unless you sign out of all. An application that is open may stay signed in for a while.
logout-submit = Sign out
logout-submit-one = Sign out of { $name }
logout-all = Sign out of all accounts
logout-stay = Stay signed in

logged-out-title = You are signed out
logged-out-accounts = Signed out
logged-out-nobody = Nobody is signed in here.
logged-out-text = Your session in this browser has ended.
logged-out-told = These applications are told to sign you out, too:
logged-out-not-told = You used these applications. If one of them is open, it may stay signed in for a while:
logged-out-remaining = Still signed in here
logged-out-client = You can return to { $client } at any time and sign in again.
logged-out-shared = Is this a shared computer? Then please also close all windows of this browser.

## The front page

home-title = Sign-in server
home-issuer = This is the sign-in server of
home-text = Nothing needs to be done here. To sign in, open the application that you want to use; it brings you to the right page.
home-account = Signed in as
home-sessions = Your sessions and password
home-tokens = Your API tokens
home-sign-in = Sign in to your account: sessions and password
home-developers = For developers
home-discovery = Settings for applications (OpenID Connect discovery)

## A person's own pages

account-places = Your account
account-sessions = Sessions
account-applications = Applications
account-password = Password
account-tokens = API tokens

sessions-title = Where you are signed in
sessions-intro = If you do not know one of these sessions, end it and change your password.
done-password-changed = Your password has been changed, and all your other sessions have ended. Your API tokens stay valid: look through them, too.
done-session-ended = The session has ended.
done-others-ended = All your other sessions have ended.
done-access-withdrawn = The access has been withdrawn.
done-token-revoked = The token has been revoked.
sessions-applications = Applications that you allowed to stay keep their access when a session ends.
sessions-this = This session
sessions-unknown = Unknown browser
sessions-started = Signed in
sessions-last-used = Last used
sessions-kept = When the browser is closed
sessions-remembered = you stay signed in
sessions-clients = Applications
sessions-no-clients = none
sessions-end = End this session
sessions-end-others = End all other sessions

password-title = Change your password
password-old = Your present password
password-new = New password
password-again = New password once more
password-hint = At least 8 characters. A few words in a row are easy to remember and hard to guess.
password-consequence = All your other sessions end, and applications that you use elsewhere ask you to sign in again.
password-submit = Change the password
password-wrong = Your present password is wrong. Please try again.
password-unavailable = Changing the password is not possible at the moment. Please try again in a minute.
password-rules = The new password is too short or too long: at least 8 characters, please.
password-same = The new password is the present one. Please choose another.
password-differ = You have typed the new password in two different ways. Please type it again.

## The applications that have access to a person's account

apps-title = Applications with access
apps-intro = These applications may use your account. Withdraw the access of any that you do not know or do not need any more.
apps-none = No application has access to your account at the moment.
apps-since = Since
apps-access = Has access
apps-lasting = also while you are away, until it is withdrawn or runs out
apps-signed-in = only while you are signed in
apps-remembered = not at the moment; what you allowed is remembered
apps-withdraw = Withdraw access
apps-withdraw-one = Withdraw the access of { $client }

apps-withdraw-title = Withdraw the access of { $client }?
apps-withdraw-text = It loses its access to your account. Some APIs may notice that only after a few minutes. You stay signed in here.
apps-asked-again = Before it gets access again, it has to ask you.
apps-not-asked = This application does not ask you, because the people who run this server trust it: when you use it again, it has access again.
apps-keep = Leave it as it is

## A person's API tokens

tokens-title = Your API tokens
tokens-account = Signed in as
tokens-sign-out = Sign out
tokens-intro = With an API token, a script or program of yours can use an API in your name, without your password.
tokens-none = You have no token at the moment.
tokens-new = New token
tokens-for = For
tokens-may = Allows
tokens-made = Made on
tokens-expires = Expires on
tokens-last-used = Last use
tokens-never = not used yet
tokens-revoke = Revoke
tokens-revoke-one = Revoke { $name }

tokens-made-title = Your new token: { $name }
tokens-made-text = Copy it now, and keep it like a password. It is shown only this once.

tokens-new-title = New API token
tokens-choose = What is the token to be for?
tokens-no-server = There is no API here that takes tokens.
tokens-name = Name of the token
tokens-name-hint = So that you know it again: “backup script”, for example.
tokens-scope = What it allows
tokens-life = How long it is valid
tokens-days = { $count ->
    [one] one day
   *[other] { $count } days
}
tokens-submit = Make the token
tokens-back = Back to your tokens

tokens-problem-name = Please give the token a name, of about 100 letters at most.
tokens-problem-scope = Please choose at least one thing that the token allows.
tokens-problem-life = Please choose how long the token is valid.
tokens-problem-full = You have as many tokens as you may have. Revoke one that you do not need any more, then make a new one.

tokens-revoke-title = Revoke { $name }?
tokens-revoke-text = Scripts and programs that use this token stop working at once. It cannot be undone.
tokens-keep = Keep it

## The way back, where no redirect leads it

back-title = Back to the application
back-text = You are being sent on to
back-button = Continue
back-message = This window has told the application how the sign-in ended. If it stays open, you can close it.

## When something goes wrong: what happened, what it means, what to do

error-bad-request-title = This request cannot be answered
error-bad-request-text = The application sent a request that this server does not understand or may not accept.
error-bad-request-help = Go back to the application and start again. If this page returns, tell the people who run the application.

error-unknown-client-title = This application is not known here
error-unknown-client-text = You were sent here by an application that is not registered with this sign-in server.
error-unknown-client-help = Check the address that you started from. If it is right, tell the people who run the application.

error-redirect-uri-title = We stopped here to protect you
error-redirect-uri-text = The application asked to send you on to an address that is not registered for it. This can be a mistake in its settings, or an attempt to deceive you.
error-redirect-uri-help = Do not follow the link that brought you here again. If you trust the application, tell the people who run it.

error-expired-title = This page is too old
error-expired-text = It was open for so long that its request is no longer valid. Nothing has been changed.
error-expired-help = Go back to the application and start again.

error-other-browser-title = This page belongs to another browser
error-other-browser-text = The sign-in was started in another browser or window, or your browser did not send back the cookie of this server.
error-other-browser-help = Allow cookies for this site, then open the application again in this browser. If you run the application on your own computer: localhost and 127.0.0.1 are two different sites to a browser, so use one of them throughout.

error-already-used-title = This step is already done
error-already-used-text = The page has been sent before, and it works only once. That can happen when you go back or press the button twice.
error-already-used-help = Return to the application. If you are not signed in there, start again.

error-unavailable-title = Please try again in a moment
error-unavailable-text = The sign-in server cannot reach all that it needs just now. Nothing is lost.
error-unavailable-help = Wait a minute and load this page again.

error-not-found-title = There is no page here
error-not-found-text = This address does not exist on the sign-in server.
error-not-found-help = Check the address, or open the application that you want to use.

error-method-title = This address is used in another way
error-method-text = The address exists, but it does not answer this kind of request.
error-method-help = Go back to the application and start again.

error-forbidden-title = This was not sent from our own page
error-forbidden-text = For your safety, forms are accepted only when they come from this server’s own page in this browser.
error-forbidden-help = Go back to the application and start again. If you have not sent anything yourself, simply close this page.

error-too-large-title = That is more than we can take
error-too-large-text = The request is longer than this server accepts.
error-too-large-help = Go back to the application and start again. If you typed something very long, make it shorter.

error-internal-title = Something went wrong on our side
error-internal-text = The sign-in server ran into an error. It is not your fault, and it has been recorded.
error-internal-help = Try again. If this page returns, tell the people who run this server, and give them the request number below.

error-developer = For the developer of the application
error-code = Error
error-status = HTTP status
error-detail = What happened
error-request = Request number
