# Obeys orders that come on the results line, one a line with its number, and answers with what they said and how
# they ended. It is handed to a development image as a credential by the bench; no image has it.
stty -F /dev/ttyS1 raw -echo 115200
exec </dev/ttyS1 >/dev/ttyS1 2>&1
echo '@@ready'
while IFS= read -r line; do
  number=${line%% *}
  said=$(eval "${line#* }" 2>&1 </dev/null)
  code=$?
  printf '%s\n@@end %s %s\n' "$said" "$number" "$code"
done
