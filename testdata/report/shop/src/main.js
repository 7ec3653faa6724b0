export const main = () => "main";
